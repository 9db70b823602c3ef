"""Systems: what each is made of is data (`registry/systems`); here is what showing one needs."""
