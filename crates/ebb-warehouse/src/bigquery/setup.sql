-- what models may read
grant `roles/bigquery.dataViewer` on schema {reads} to {'user'};

-- where Ebb keeps what it tracks; it writes nowhere else
create schema {=schema};
grant `roles/bigquery.dataEditor` on schema {=schema} to {'user'};
