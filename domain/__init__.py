"""Pure rules of Kawal: given a snapshot and a moment, a verdict. No input, no output, no clock of its own."""
