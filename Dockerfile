# One image for both services. Build it with the CPU's PyTorch (the default) or with CUDA's:
#   docker build -t woodshed .
#   docker build -t woodshed --build-arg TORCH= .
ARG PYTHON=python:3.12-slim-bookworm

# ---- the environment, built with tools that don't go into the image
FROM ${PYTHON} AS environment
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends make \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
ARG TORCH=cpu
# A layer of its own: a change of the code doesn't install everything again.
COPY Makefile requirements-run.lock requirements-uv.lock ./
RUN make run-environment TORCH=${TORCH} \
 && rm -rf .venv/bin/uv .venv/bin/uvx .venv/bin/pip* .venv/lib/python3*/site-packages/uv* .venv/lib/python3*/site-packages/pip*

# ---- what runs
FROM ${PYTHON}
# A better SoundFont than the one that comes with the bot.
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends musescore-general-soundfont-small \
 && rm -rf /var/lib/apt/lists/* \
 && mkdir -p /app/var /run/woodshed \
 && chown 10001:10001 /app/var /run/woodshed
WORKDIR /app
COPY --from=environment /app/.venv .venv
COPY . .
# The root file system may be read-only: whatever a library wants to keep goes to /tmp.
ENV HOME=/tmp \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PATH=/app/.venv/bin:$PATH
USER 10001:10001
VOLUME /app/var

# Bot and local engine in one container; compose.yaml runs them as two.
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s \
  CMD ["python", "-m", "bot.hosting.heartbeat", "var/woodshed.sqlite3"]
ENTRYPOINT ["python", "-m"]
CMD ["bot"]
