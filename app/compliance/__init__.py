"""What the law asks beside the journey: audit, holds, incidents, retention, case files."""
