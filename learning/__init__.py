"""The ground floor: arrays in, arrays out. Knows no Django and no Celery."""
