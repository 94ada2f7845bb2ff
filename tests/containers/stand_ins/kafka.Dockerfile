# Stands in for the official image of Apache Kafka: the jars and the Java of the local stack, at
# the paths and under the user of the official one. The environment becomes settings by Kafka's own
# code for it (kafka.docker.KafkaDockerWrapper).
FROM tertib-stand-in/os
RUN useradd --uid 1000 --create-home appuser && \
    mkdir -p /opt/kafka/bin /opt/kafka/config /opt/kafka/logs /etc/kafka/docker \
        /etc/kafka/secrets /mnt/shared/config /var/lib/kafka/data && \
    chown -R appuser:appuser /opt/kafka /etc/kafka /mnt/shared /var/lib/kafka
COPY java /opt/java
COPY jars /opt/kafka/libs
COPY --chown=appuser kafka.run /etc/kafka/docker/run
COPY kafka.class /opt/kafka/bin/kafka-run-class.sh
COPY kafka.ask /opt/kafka/bin/kafka-broker-api-versions.sh
COPY kafka.log4j2.yaml /etc/kafka/docker/log4j2.yaml
COPY kafka.log4j2.yaml /etc/kafka/docker/tools-log4j2.yaml
COPY kafka.server.properties /etc/kafka/docker/server.properties
USER appuser
EXPOSE 9092
VOLUME ["/etc/kafka/secrets", "/var/lib/kafka/data", "/mnt/shared/config"]
CMD ["/etc/kafka/docker/run"]
