"""The local stack: Apache Kafka and PostgreSQL from packages alone, without a container engine."""
