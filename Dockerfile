# The image of the scale-out form: every service of docker-compose.yaml that is not PostgreSQL or Redis.
# Packages come hash-locked from requirements-scale-out.txt; the checkout is installed where it lies.
ARG PYTHON_IMAGE=python:3.12-slim-bookworm

FROM ${PYTHON_IMAGE} AS environment
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /opt/halfyear
RUN python -m venv /opt/halfyear/.venv
COPY requirements-scale-out.txt ./
RUN .venv/bin/pip install --require-hashes --only-binary :all: -r requirements-scale-out.txt
COPY pyproject.toml README.md LICENSE ./
COPY plugins ./plugins
RUN .venv/bin/pip install --no-deps --no-build-isolation --editable .
COPY dags ./dags
COPY expectations ./expectations
COPY sql ./sql
RUN .venv/bin/python -m compileall -q dags plugins .venv/lib

FROM ${PYTHON_IMAGE}
# Every load says which code it was loaded by: --build-arg HALFYEAR_COMMIT="$(git describe --always --dirty)"
ARG HALFYEAR_COMMIT=""
# The folders that are mounted exist with their owner, which new volumes inherit.
RUN groupadd --gid 50000 halfyear \
    && useradd --uid 50000 --gid halfyear --no-create-home --home-dir /var/lib/halfyear --shell /usr/sbin/nologin halfyear \
    && install --directory --owner halfyear --group halfyear --mode 0750 \
        /var/lib/halfyear /var/lib/halfyear/airflow /var/lib/halfyear/inbox /var/lib/halfyear/landing \
        /var/lib/halfyear/work /var/log/halfyear
COPY --from=environment /opt/halfyear /opt/halfyear
ENV PATH=/opt/halfyear/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    TZ=Asia/Shanghai \
    HALFYEAR_PROJECT=/opt/halfyear \
    HALFYEAR_COMMIT=${HALFYEAR_COMMIT} \
    HALFYEAR_HOME=/var/lib/halfyear \
    AIRFLOW_HOME=/var/lib/halfyear/airflow \
    AIRFLOW__CORE__DAGS_FOLDER=/opt/halfyear/dags \
    AIRFLOW__CORE__PLUGINS_FOLDER=/opt/halfyear/plugins \
    AIRFLOW__LOGGING__BASE_LOG_FOLDER=/var/log/halfyear
WORKDIR /var/lib/halfyear
USER 50000:50000
# Which process a container runs is said by docker-compose.yaml; each service has its own health check there.
CMD ["airflow", "version"]
