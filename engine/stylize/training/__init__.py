"""How the style network learns."""
