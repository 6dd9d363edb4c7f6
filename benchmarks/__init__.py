"""What wmframe's loops cost beside what they could cost: `make bench`. Development only; not in the wheel."""
