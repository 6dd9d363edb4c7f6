"""One self-contained HTML page per run: `contents` goes in, `page.write` puts the page on disk."""
