"""Source notebooks: exercises with their solutions, hidden tests and listed mistakes."""
