"""Makes the cluster's certificates, and the kubeconfigs that carry them."""

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.cluster.box.places import API_PORT, API_SERVICE_ADDRESS, KUBECONFIG, NODE, NODE_ADDRESS, PKI

_API_NAMES = (
    *("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"),
    *("127.0.0.1", API_SERVICE_ADDRESS, NODE_ADDRESS),
)
_CLIENTS = {
    "admin": "system:masters/admin",
    "kube-controller-manager": "system:kube-controller-manager",
    "kube-scheduler": "system:kube-scheduler",
    "kube-proxy": "system:kube-proxy",
    "kubelet": f"system:nodes/system:node:{NODE}",
    "coredns": "system:coredns",
}
"""Program to its `group/user` or user, as Kubernetes' own roles name them."""


@dataclass(frozen=True)
class Authority:
    """Signs certificates; its own lies at `<name>.crt`."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


def make() -> None:
    """Make all keys, certificates and kubeconfigs, unless they are there from an earlier start."""
    done = PKI / "done"
    if done.exists():
        return
    PKI.mkdir(parents=True, exist_ok=True)
    PKI.chmod(0o700)
    cluster, front = _authority("ca"), _authority("front-proxy-ca")
    _leaf("apiserver", cluster, "kube-apiserver", server_names=_API_NAMES)
    _leaf("kubelet-server", cluster, f"system:nodes/system:node:{NODE}", server_names=(NODE, NODE_ADDRESS))
    _leaf("apiserver-kubelet", cluster, "system:masters/kube-apiserver-kubelet-client")
    _leaf("front-proxy", front, "front-proxy-client")
    for name, user in _CLIENTS.items():
        _leaf(name, cluster, user)
        _kubeconfig(name)
    _service_account_keys()
    done.touch()


def kubeconfig(name: str) -> Path:
    """Return where the kubeconfig of one of the cluster's programs lies; the administrator's is `admin`."""
    return KUBECONFIG if name == "admin" else PKI / f"{name}.conf"


def _authority(name: str) -> Authority:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(f"tunesmith-box-{name}")
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        _builder(subject, subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .sign(key, hashes.SHA256())
    )
    _write_pair(name, key, certificate)
    return Authority(key, certificate)


def _leaf(name: str, authority: Authority, user: str, server_names: Sequence[str] = ()) -> None:
    """Write a server's certificate where it has names, else a client's."""
    key = ec.generate_private_key(ec.SECP256R1())
    purpose = ExtendedKeyUsageOID.SERVER_AUTH if server_names else ExtendedKeyUsageOID.CLIENT_AUTH
    builder = (
        _builder(_name(user), authority.certificate.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()), critical=False)
    )
    if server_names:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([_server_name(each) for each in server_names]), critical=False
        )
    _write_pair(name, key, builder.sign(authority.key, hashes.SHA256()))


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _name(user: str) -> x509.Name:
    """`group/user` or `user` as Kubernetes reads it from a certificate."""
    group, _, name = user.rpartition("/")
    attributes = [x509.NameAttribute(NameOID.COMMON_NAME, name)]
    if group:
        attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
    return x509.Name(attributes)


def _server_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _service_account_keys() -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _write_secret(PKI / "service-account.key", _pem(key))
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (PKI / "service-account.pub").write_bytes(public)


def _write_pair(name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    _write_secret(PKI / f"{name}.key", _pem(key))
    (PKI / f"{name}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    return key.private_bytes(encoding, form, serialization.NoEncryption())


def _write_secret(path: Path, content: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(content)


def _kubeconfig(name: str) -> None:
    server = {"certificate-authority": str(PKI / "ca.crt"), "server": f"https://{NODE_ADDRESS}:{API_PORT}"}
    user = {"client-certificate": str(PKI / f"{name}.crt"), "client-key": str(PKI / f"{name}.key")}
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "box", "cluster": server}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": "box", "context": {"cluster": "box", "user": name}}],
        "current-context": "box",
    }
    _write_secret(kubeconfig(name), yaml.safe_dump(content, sort_keys=False).encode())
