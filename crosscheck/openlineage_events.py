"""Sends one event of each kind with the OpenLineage Python client to the server at argv[1]."""

import sys
from uuid import UUID

import openlineage.client.event_v2 as event
import openlineage.client.facet_v2 as facet
from openlineage.client import OpenLineageClient
from openlineage.client.transport.http import HttpConfig, HttpTransport

RUN = str(UUID("01a1fdb0-62e7-7cd7-9466-88e7606c7242"))
NOW = "2026-03-03T12:00:0{}Z"

client = OpenLineageClient(transport=HttpTransport(HttpConfig(url=sys.argv[1])))
git = facet.source_code_location_job.SourceCodeLocationJobFacet(type="git", url="https://git.example/y", version="abc")
job = event.Job(namespace="ns", name="train", facets={"sql": facet.sql_job.SQLJobFacet(query="select 1"), "sourceCodeLocation": git})
parent = facet.parent_run.ParentRunFacet(
    run=facet.parent_run.Run(runId="01a1fdb0-62e7-7fab-ac10-dd41de9c98fd"), job=facet.parent_run.Job(namespace="ns", name="dag")
)
run = event.Run(runId=RUN, facets={"parent": parent})
schema = facet.schema_dataset
quality = facet.data_quality_metrics_input_dataset
loans = event.InputDataset(
    namespace="pg://h",
    name="db.loans",
    facets={
        "version": facet.dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion="7"),
        "schema": schema.SchemaDatasetFacet(fields=[schema.SchemaDatasetFacetFields(name="income", type="int")]),
    },
    inputFacets={
        "dataQualityMetrics": quality.DataQualityMetricsInputDatasetFacet(
            columnMetrics={"income": quality.ColumnMetrics(nullCount=2)}, rowCount=10
        )
    },
)
columns = facet.column_lineage_dataset
made = event.OutputDataset(
    namespace="s3://b",
    name="loans",
    facets={
        "columnLineage": columns.ColumnLineageDatasetFacet(
            fields={
                "ratio": columns.Fields(
                    inputFields=[
                        columns.InputField(
                            namespace="pg://h",
                            name="db.loans",
                            field="income",
                            transformations=[columns.Transformation(type="DIRECT", subtype="TRANSFORMATION")],
                        )
                    ]
                )
            }
        )
    },
)


class Model(facet.DatasetFacet):
    """The facet by which a data set is a version of a model."""


model = event.OutputDataset(namespace="models", name="credit", facets={"tallystick_model": Model().with_additional_properties(model="credit", version="3")})

for second, state in enumerate([event.RunState.START, event.RunState.RUNNING, event.RunState.COMPLETE]):
    client.emit(
        event.RunEvent(
            eventType=state, eventTime=NOW.format(second), run=run, job=job, producer="https://ci.example", inputs=[loans], outputs=[made, model]
        )
    )
client.emit(
    event.DatasetEvent(eventTime=NOW.format(4), producer="https://ci.example", dataset=event.StaticDataset(namespace="n", name="d"))
)
client.emit(
    event.JobEvent(
        eventTime=NOW.format(5), producer="https://ci.example", job=event.Job(namespace="ns", name="report"), inputs=[loans], outputs=[]
    )
)
client.close()
