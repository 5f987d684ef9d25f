# METADATA
# title: Licences
# description: |
#   Which class a licence belongs to, by the lists in data.licence. A licence on no list has no
#   class, and nothing accepts it.
package halocline.licence

# METADATA
# title: The classes of one SPDX identifier, `LicenseRef-` by prefix; matched in lower case
classes(id) := listed | referred if {
	is_string(id)
	listed := {class | some class in object.keys(data.licence.ids); _listed(id, data.licence.ids[class])}
	referred := {class |
		some class in object.keys(data.licence.references)
		some prefix in data.licence.references[class]
		startswith(lower(id), lower(prefix))
	}
}

# METADATA
# title: Is every one of these licences in an accepted class?
acceptable(ids, accepted) if {
	is_array(ids)
	count(ids) > 0
	every id in ids { _accepted(id, accepted) }
}

_accepted(id, accepted) if {
	some class in classes(id)
	class in accepted
}

_listed(id, ids) if {
	some known in ids
	lower(known) == lower(id)
}
