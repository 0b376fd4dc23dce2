"""How long identity data are kept, and how they are destroyed so that nobody reads them again (R8, R9.4)."""
