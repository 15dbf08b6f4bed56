// Package openlineage receives OpenLineage events (https://openlineage.io, core specification 2-0-2)
// and reads them as lineage: a job is a transformation, a data set a source, a data set with a version
// facet a snapshot of it, and fields are columns. Runs, code locations and parents become nodes and
// edges; other facets become facts, those that are not known their digest.
//
// A model has no place in OpenLineage. A data set with the facet tallystick_model, {"model": "credit",
// "version": "3"}, is that version: written by the run that trained it, or read by one that used it.
//
// Names of jobs and data sets are public on the trail. Credentials in a URL are left out of them.
package openlineage
