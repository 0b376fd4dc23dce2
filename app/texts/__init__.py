"""Everything that people read, in Chinese and English."""
