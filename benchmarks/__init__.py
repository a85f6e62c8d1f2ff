"""What `make bench` runs. It may import every room, and no room imports it."""
