\copy (select * from bare.changes) to '/dev/null' (format binary)
