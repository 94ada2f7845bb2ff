"""Kafka alone: topics, clients, records; nothing here folds or stores."""
