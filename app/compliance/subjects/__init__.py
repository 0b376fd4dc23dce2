"""What applicants may ask about their own data: a copy, a correction by new capture, its deletion."""
