"""What the API server refuses, in the user's words, with what helps."""

import json
from typing import Any


def text_of(error: Any) -> str:
    """Return what the server says; its answer is bytes, since it is read as JSON here."""
    body = error.body or error.reason
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body)


class Refused(Exception):
    """The API server's refusal: the HTTP status and what it says."""

    def __init__(self, status: int, body: str) -> None:
        self.status = status
        try:
            answer = json.loads(body)
        except ValueError:
            answer = {}
        self.text: str = answer.get("message", body) if isinstance(answer, dict) else body
        self.has_details = isinstance(answer, dict) and bool((answer.get("details") or {}).get("name"))
        super().__init__(self.text)

    @property
    def permanent(self) -> bool:
        """Whether a webhook's refusal wears the status of a passing failure."""
        return "denied the request" in self.text


def explain(refused: Refused, doing: str) -> str:
    """Return what was refused, what the server says, and what helps."""
    text = refused.text
    if "namespace lacks label" in text:
        hint = "label it: kubectl label namespace NAME katib.kubeflow.org/metrics-collector-injection=enabled"
    elif "unable to get Suggestion config" in text:
        hint = "Katib does not know Tunesmith's algorithms; apply an overlay: kubectl apply -k manifests/overlays/standalone"
    elif refused.status == 403:
        hint = "bind the ClusterRole tunesmith-runner of manifests/base to that account (docs/install.md)"
    elif refused.status == 404:
        hint = "is Katib installed? See docs/install.md"
    elif refused.status == 401:
        hint = "log in anew: the credentials of KUBECONFIG are not accepted"
    else:
        return f"cannot {doing}: {text}"
    return f"cannot {doing}: {text}\n{hint}"
