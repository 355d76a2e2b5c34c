"""Where recordings come from: cards, the door they come in by, one module per data set."""
