"""What a document says besides its steps: one module for each section, found by being here."""
