ARG PYTHON_VERSION=3.11

# Build: every download is checked against the lock, and only wheels are taken, so no package runs code to install.
FROM python:${PYTHON_VERSION}-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements-build.txt requirements.txt ./
RUN python -m venv --without-pip /opt/wardwatch \
    && python -m pip install --require-hashes --only-binary :all: -r requirements-build.txt \
    && python -m pip --python /opt/wardwatch/bin/python install --require-hashes --only-binary :all: -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY alerts alerts
COPY service service
RUN python -m pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /wheels . \
    && python -m pip --python /opt/wardwatch/bin/python install --no-deps --no-index /wheels/*.whl

# Run: a fixed user without a shell. Only /var/lib/wardwatch and /tmp are written to.
FROM python:${PYTHON_VERSION}-slim
RUN groupadd --gid 10001 wardwatch \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/wardwatch --shell /usr/sbin/nologin wardwatch \
    && install --directory --owner 10001 --group 10001 --mode 0700 /var/lib/wardwatch
COPY --from=build /opt/wardwatch /opt/wardwatch
ENV PATH=/opt/wardwatch/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /var/lib/wardwatch
VOLUME /var/lib/wardwatch
USER 10001:10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# Straight to this process: a proxy set for outgoing calls must not answer for it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:8000/livez', timeout=4)"]
ENTRYPOINT ["wardwatch"]
CMD ["serve", "--host", "0.0.0.0"]
