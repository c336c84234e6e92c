"""The retail replay: a public support benchmark's shop, brought in as one channel, and its call sequences played on it."""
