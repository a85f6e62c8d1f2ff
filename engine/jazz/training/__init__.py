"""How the networks learn, stage by stage."""
