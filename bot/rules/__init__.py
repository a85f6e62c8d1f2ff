"""What the club's games mean. Pure: time, randomness and ids are passed in; no Discord, no database."""
