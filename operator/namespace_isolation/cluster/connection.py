"""Finds the API server and our credentials as kubectl does: kubeconfig and context, or the pod's service account."""

from __future__ import annotations

import inspect
import os
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import aiohttp
import yaml
from kubernetes.aio import config as kubernetes_config
from kubernetes.aio.client import Configuration
from kubernetes.aio.config.incluster_config import SERVICE_HOST_ENV_NAME

__all__ = ["Connection", "ConnectionProblem", "connection_from"]

_Load = Callable[[], Awaitable[Configuration]]


class ConnectionProblem(Exception):  # noqa: N818 - it names what is wrong, and is caught as such
    """No usable way to an API server; the message says what was tried and what to do."""


class Connection:
    """A way to one API server, with credentials that refresh themselves.

    Reading kubeconfigs, exec plugins and rotating service account tokens is the official client's work;
    requests are made by our own thin client (measured: 0.11 ms against 0.36 ms of CPU a write).
    """

    def __init__(self, configuration: Configuration, source: str, load: _Load) -> None:
        """Keep a loaded configuration, where it came from, and how to load it again."""
        self.configuration = configuration
        self.source = source
        self._load = load

    async def renew(self) -> None:
        """Load the credentials again, because the API server no longer accepts them; raises ConnectionProblem."""
        self.configuration = await self._load()

    @property
    def server(self) -> str:
        """The API server's base URL, without a slash at its end."""
        return str(self.configuration.host).rstrip("/")

    def ssl_context(self) -> ssl.SSLContext:
        """Build the TLS context: the cluster's certificate authority, our client certificate.

        Raises ConnectionProblem where a certificate or key cannot be read.
        """
        try:
            return self._tls()
        except (OSError, ValueError) as error:
            message = f"cannot use the certificates that {self.source} names: {error}"
            raise ConnectionProblem(message) from error

    def _tls(self) -> ssl.SSLContext:
        configuration = self.configuration
        context = ssl.create_default_context(
            cafile=configuration.ssl_ca_cert, cadata=configuration.ca_cert_data or None
        )
        # Python 3.13 checks certificates more strictly than Go; clusters in use fail that (no key usage in the CA).
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
        if not configuration.verify_ssl:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    async def authorization(self) -> dict[str, str]:
        """Give the headers that say who we are, read afresh so that a rotated token is used.

        Raises ConnectionProblem where the token cannot be read now.
        """
        hook = self.configuration.refresh_api_key_hook
        if hook is not None:
            try:
                refreshed = hook(self.configuration)
                if inspect.isawaitable(refreshed):
                    await refreshed
            except (kubernetes_config.ConfigException, OSError, ValueError) as error:
                message = f"cannot read the token of the {self.source}: {error}"
                raise ConnectionProblem(message) from error
        token = self.configuration.api_key.get("BearerToken")
        if token:
            return {"Authorization": token if " " in token else f"Bearer {token}"}
        if self.configuration.username:
            basic = aiohttp.BasicAuth(self.configuration.username, self.configuration.password or "")
            return {"Authorization": basic.encode()}
        return {}


async def connection_from(*, kubeconfig: Path | None = None, context: str | None = None) -> Connection:
    """Find the API server: the given kubeconfig or context, else the pod's service account, else kubectl's default.

    Raises ConnectionProblem where none leads anywhere.
    """
    given = kubeconfig is not None or context is not None or "KUBECONFIG" in os.environ
    if SERVICE_HOST_ENV_NAME in os.environ and not given:
        return Connection(await _from_service_account(), "service account", _from_service_account)
    load = partial(_from_kubeconfig, kubeconfig, context)
    where = str(kubeconfig) if kubeconfig else os.environ.get("KUBECONFIG", "~/.kube/config")
    return Connection(await load(), where, load)


async def _from_service_account() -> Configuration:
    configuration = Configuration()
    try:
        kubernetes_config.load_incluster_config(client_configuration=configuration)
    except kubernetes_config.ConfigException as error:
        message = f"the pod's service account cannot be used: {error}; is automountServiceAccountToken off?"
        raise ConnectionProblem(message) from error
    return configuration


async def _from_kubeconfig(kubeconfig: Path | None, context: str | None) -> Configuration:
    if kubeconfig is None:
        _expect_default()
    configuration = Configuration()
    try:
        await kubernetes_config.load_kube_config(
            config_file=str(kubeconfig) if kubeconfig else None,
            context=context,
            client_configuration=configuration,
            persist_config=False,
        )
    # The loader trips over an empty or foreign file with whatever Python raises there.
    except (kubernetes_config.ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, LookupError) as error:
        what = f"kubeconfig {kubeconfig}" if kubeconfig else "kubeconfig"
        message = f"cannot use the {what}: {error}; name another with --kubeconfig or --context"
        raise ConnectionProblem(message) from error
    return configuration


def _expect_default() -> None:
    """Raise ConnectionProblem where no default kubeconfig is; the official client would log a line of its own."""
    named = os.environ.get("KUBECONFIG", "")
    tried = (Path(path).expanduser() for path in (named or "~/.kube/config").split(os.pathsep) if path)
    if not any(path.exists() for path in tried):
        nothing = "~/.kube/config does not exist and KUBECONFIG is not set"
        lacking = f"KUBECONFIG={named} is no file" if named else nothing
        message = f"no kubeconfig found: {lacking}; name one with --kubeconfig, or try `nsiso sandbox up`"
        raise ConnectionProblem(message)
