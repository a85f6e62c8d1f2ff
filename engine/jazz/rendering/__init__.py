"""From a score to what a member gets: sound, MIDI, a lead sheet, a piano roll."""
