# AIMA in a container: a worker, unless another command is given. No model is in the image; they
# come to /data, with `aima models pull embedded`. See docs/how-to/run-with-docker.md.
ARG PYTHON_IMAGE=python:3.13-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /src
COPY requirements.lock ./
# All that the lock names is fetched and compared with its hashes. AIMA is then built and
# installed from that alone, so what it does not need at run time stays behind in this stage.
RUN python -m pip download --no-cache-dir --require-hashes --no-deps --only-binary :all: \
        --dest /wheels --requirement requirements.lock
COPY . ./
RUN python -m pip wheel --no-cache-dir --no-index --find-links /wheels --no-deps \
        --wheel-dir /wheels . \
    && python -m venv /opt/aima \
    && /opt/aima/bin/pip install --no-cache-dir --no-index --find-links /wheels aima

FROM ${PYTHON_IMAGE}
# llama.cpp needs OpenMP. hadolint wants a version, which the next release of the base would lack.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 \
    && rm --recursive /var/lib/apt/lists/*
COPY --from=build /opt/aima /opt/aima
# The folders exist with their owner, since a new volume takes over both.
RUN useradd --uid 10001 --home-dir /data aima \
    && install --directory --owner aima --group aima --mode 700 /data /data/artifacts /data/models
ENV PATH=/opt/aima/bin:$PATH AIMA_DATA=/data PYTHONUNBUFFERED=1
USER 10001
WORKDIR /data
VOLUME /data
# A worker is well when Temporal sees it ask for work.
HEALTHCHECK --start-period=60s --interval=30s --timeout=10s CMD ["sh", "-c", "\
    temporal task-queue describe --address \"$AIMA_TEMPORAL_ADDRESS\" \
        --namespace \"${AIMA_TEMPORAL_NAMESPACE:-default}\" \
        --task-queue \"${AIMA_TEMPORAL_TASK_QUEUE:-aima}\" | grep --quiet \"@$(hostname)\""]
ENTRYPOINT ["aima"]
CMD ["worker"]
