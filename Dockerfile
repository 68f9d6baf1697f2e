# One image for every role: the command chooses, as in `docker run connectory serve executor`.
FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/connectory \
    && /opt/connectory/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.13-slim
COPY --from=build /opt/connectory /opt/connectory
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/connectory connectory
USER connectory
WORKDIR /var/lib/connectory
ENV PATH=/opt/connectory/bin:$PATH PYTHONUNBUFFERED=1
EXPOSE 5601
ENTRYPOINT ["connectory"]
CMD ["--help"]
