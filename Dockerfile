# The operator's image: a virtual environment from the hashed lock on a slim Python, run by a numeric user that owns nothing.
# Builds with and without BuildKit: `make image`, or `docker build --build-arg PYTHON_IMAGE=python:3.13-slim .`
ARG PYTHON_IMAGE=python:3.11-slim

FROM ${PYTHON_IMAGE} AS builder
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
# The dependencies first: they change less often than the code, and Docker keeps their layer.
COPY requirements.lock requirements-build.lock ./
RUN python -m venv --without-pip /opt/nsiso \
 && python -m pip --python /opt/nsiso/bin/python install --require-hashes -r requirements.lock \
 && python -m venv /opt/build \
 && /opt/build/bin/python -m pip install --require-hashes -r requirements-build.lock
COPY LICENSE README.md pyproject.toml ./
COPY operator operator
RUN /opt/build/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir /opt/wheels . \
 && python -m pip --python /opt/nsiso/bin/python install --no-deps --no-index /opt/wheels/*.whl

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="namespace-isolation" \
      org.opencontainers.image.description="A Kubernetes operator: one resource keeps the NetworkPolicies of its namespaces in place" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=builder /opt/nsiso /opt/nsiso
# The root filesystem may be read-only: bytecode was compiled above, and nothing is written at run time.
ENV PATH=/opt/nsiso/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
ENV HOME=/
# A number, so that Kubernetes can see runAsNonRoot without reading /etc/passwd.
USER 65532:65532
WORKDIR /
EXPOSE 8080
ENTRYPOINT ["nsiso"]
CMD ["run"]
