"""PyTorch's own documentation, taken from the installed torch and torchvision."""
