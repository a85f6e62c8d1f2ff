"""How an answer gets to its reader: the rules, which a test can step through, and the courier, who takes the steps."""
