"""How it holds up: a class at work while things break, and several engines on a cluster."""
