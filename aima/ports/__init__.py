"""What units may ask of the outside: protocols and the values they carry."""
