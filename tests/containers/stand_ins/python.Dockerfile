# Stands in for the official image of Python: Debian's own, which is 3.11 as well.
FROM tertib-stand-in/os
RUN apt-get update && \
    apt-get install --yes --no-install-recommends python3 python3-pip python3-venv && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* && \
    ln -s python3 /usr/bin/python
# The registry is reached through what this machine trusts.
COPY certificates /etc/ssl/certs/ca-certificates.crt
ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt
CMD ["python3"]
