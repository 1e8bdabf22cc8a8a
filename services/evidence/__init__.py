"""Evidence on its way in: uploads that are resumed, and files looked at and kept."""
