"""Builds the Katib Experiment of a search: its trials are Jobs that run `tunesmith trial`, one candidate each."""

from collections.abc import Iterable, Sequence
from typing import Any

from tunesmith.katib.candidate import PARAMETER, PARENT, STOP_RULE, encode
from tunesmith.katib.earlier_studies import write_studies
from tunesmith.katib.job import CONTAINER, trial_job
from tunesmith.katib.outline import LABEL, STUDY_LABEL, Outline, compact, label
from tunesmith.sections import ClusterSpec, ResourcesSpec
from tunesmith.study import Trial


def build_experiment(outline: Outline, cluster: ClusterSpec, resources: ResourcesSpec) -> dict[str, Any]:
    """Return the Experiment as the API server takes it."""
    from kubeflow_katib_api import models

    further = list(outline.aims.metrics[1:])
    placeholders = _placeholders(outline)
    spec = models.V1beta1ExperimentSpec(
        objective=models.V1beta1ObjectiveSpec(
            type=outline.objective.goal,
            objectiveMetricName=outline.objective.metric,
            additionalMetricNames=further or None,
            metricStrategies=[models.V1beta1MetricStrategy(name=name, value="latest") for name in outline.aims.metrics],
        ),
        algorithm=models.V1beta1AlgorithmSpec(
            algorithmName=f"tunesmith-{outline.content['strategy']['name']}",
            algorithmSettings=[models.V1beta1AlgorithmSetting(name=n, value=v) for n, v in _settings(outline).items()],
        ),
        metricsCollectorSpec=models.V1beta1MetricsCollectorSpec(collector=models.V1beta1CollectorSpec(kind="Push")),
        parallelTrialCount=outline.parallel,
        maxTrialCount=outline.trials,
        maxFailedTrialCount=outline.trials,
        resumePolicy="Never",
        parameters=[
            models.V1beta1ParameterSpec(
                name=name, parameterType="categorical", feasibleSpace=models.V1beta1FeasibleSpace(list=["auto"])
            )
            for name in placeholders
        ],
        trialTemplate=models.V1beta1TrialTemplate(
            primaryContainerName=CONTAINER,
            # Finished pods are asked why they failed.
            retain=True,
            trialParameters=[
                *(models.V1beta1TrialParameterSpec(name=name, reference=name) for name in placeholders),
                models.V1beta1TrialParameterSpec(name="trial", reference="${trialSpec.Name}"),
            ],
            trialSpec=trial_job(outline, cluster, resources, placeholders),
        ),
    )
    labels = {LABEL: label(outline.name, outline.namespace), STUDY_LABEL: outline.study_id}
    metadata = models.IoK8sApimachineryPkgApisMetaV1ObjectMeta(name=outline.name, labels=labels)
    return models.V1beta1Experiment(
        apiVersion="kubeflow.org/v1beta1", kind="Experiment", metadata=metadata, spec=spec
    ).to_dict()


def _placeholders(outline: Outline) -> list[str]:
    """Return what the service fills in for each trial."""
    asked = {STOP_RULE: bool(outline.content.get("scheduler")), PARENT: outline.kin}
    return [PARAMETER, *(name for name, wanted in asked.items() if wanted)]


def _settings(outline: Outline) -> dict[str, str]:
    """Return what the suggestion service is told."""
    settings = {"spec": compact(outline.content)}
    if outline.offset:
        settings["offset"] = str(outline.offset)
        settings["earlier"] = compact(_rows(outline.earlier, outline.aims.metrics))
    if outline.first:
        settings["first"] = compact([encode(candidate) for candidate in outline.first])
    if outline.studies:
        settings["studies"] = write_studies(outline.studies)
    return settings


def _rows(trials: Iterable[Trial], metrics: Sequence[str]) -> list[list[Any]]:
    return [
        [trial.number, encode(trial.candidate), trial.state.value, *(trial.metrics.get(name) for name in metrics)]
        for trial in trials
    ]
