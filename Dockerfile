# evonas for the machines of a TPU slice on GKE; `evonas launch xpk` adds the experiment.
#   docker build --platform=linux/amd64 --tag=IMAGE .
# Where the machines let only root use their TPUs: --build-arg USER=root
FROM python:3.12-slim

RUN useradd --create-home evonas && mkdir /app && chown evonas /app
COPY pyproject.toml README.md LICENSE /src/
COPY evonas /src/evonas
RUN pip install --no-cache-dir "jax[tpu]" "/src[gcs]" && rm -r /src

ARG USER=evonas
USER $USER
WORKDIR /app
ENTRYPOINT ["evonas"]
