# flux serve in a container: any user id, and nothing is written outside of /tmp and the state folder.
FROM python:3.13-slim AS build
COPY . /source
RUN python -m venv /opt/flux && /opt/flux/bin/pip install --no-cache-dir '/source[serve]'

FROM python:3.13-slim
COPY --from=build /opt/flux /opt/flux
ENV PATH=/opt/flux/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/nonexistent \
    FLUX_STATE=/tmp/flux
USER 65532:65532
EXPOSE 8765
ENTRYPOINT ["flux", "serve", "--host", "0.0.0.0"]
CMD ["--offline"]
HEALTHCHECK --interval=30s --timeout=3s \
  CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8765/healthz', timeout=2)"]
