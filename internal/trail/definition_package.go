package trail

// PackageExported is the type of the events of packages for auditors. What left in the end, with its
// digest, is a BundleExported.
const PackageExported Type = typePrefix + "package.exported" + typeSuffix

func packageDefinitions() []Definition {
	return []Definition{
		{
			Type: PackageExported, Title: "Package exported", Action: "package.export",
			Description: "A package of all that is on record about a model was asked for, to leave the installation; the package holds this event.",
			Fields: []Field{
				public("model", Text, "name of the model"),
				optional("version", Text, "name of the version; absent: all of them").inTheOpen(),
				optional("from_ms", Number, "begin of the period, milliseconds since 1970; absent: from the beginning").inTheOpen(),
				optional("until_ms", Number, "end of the period, exclusive").inTheOpen(),
				optional("disclosed", Flag, "whether sealed fields are shown").inTheOpen(),
				optional("complete", Flag, "whether the events of other models in the period are in it too").inTheOpen(),
				optional("recipient", Text, "whom it is for"),
			},
		},
	}
}
