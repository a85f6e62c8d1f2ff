# Bot and engine in one container. Build:  docker build -t woodshed .
# A host without a GPU takes the small CPU build of PyTorch:  docker build --build-arg TORCH=cpu -t woodshed .
FROM python:3.12-slim-bookworm

# make: the same set-up as on any machine. The SoundFont: better sound than the one that comes with pretty_midi.
RUN apt-get update \
 && apt-get install -y --no-install-recommends make musescore-general-soundfont-small \
 && rm -rf /var/lib/apt/lists/*

RUN useradd --create-home woodshed
WORKDIR /home/woodshed/app
RUN chown woodshed:woodshed .
USER woodshed

# The environment is a layer of its own: a change of the code does not install 3 GB again.
ARG TORCH=
COPY --chown=woodshed:woodshed Makefile pyproject.toml requirements.lock requirements-uv.lock ./
RUN make environment TORCH=${TORCH} && rm -rf /home/woodshed/.cache

COPY --chown=woodshed:woodshed . .
RUN mkdir -p var

# The database, and all that the bot must not lose.
VOLUME /home/woodshed/app/var

# DISCORD_TOKEN comes from the environment, settings from config.toml or WOODSHED_<TABLE>__<KEY>.
CMD [".venv/bin/python", "-m", "bot"]
