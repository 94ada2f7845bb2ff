# Stands in for the image of Mailpit: the same program, built from its Go module.
FROM tertib-stand-in/os
COPY mailpit /mailpit
EXPOSE 1025/tcp 1110/tcp 8025/tcp
ENTRYPOINT ["/mailpit"]
