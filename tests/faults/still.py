"""The last module of the fork server: a child does not search for garbage, in a transaction of a short lease, what it was born with."""

from kernel.garbage import spare

spare()
