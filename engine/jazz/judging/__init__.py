"""How far the soloist is from people, measured by judges that didn't choose its notes."""
