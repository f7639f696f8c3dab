-- in a shell, for what SQL cannot grant: who Ebb is, and that it may run statements and fetch many rows
--   gcloud iam service-accounts create {user} --project={database}
--   gcloud projects add-iam-policy-binding {database} --role=roles/bigquery.jobUser --member=serviceAccount:{user}@{database}.iam.gserviceaccount.com
--   gcloud projects add-iam-policy-binding {database} --role=roles/bigquery.readSessionUser --member=serviceAccount:{user}@{database}.iam.gserviceaccount.com
--   gcloud iam service-accounts keys create {user}.json --iam-account={user}@{database}.iam.gserviceaccount.com

-- what models may read
grant `roles/bigquery.dataViewer` on schema {=database}.{=reads} to 'serviceAccount:{user}@{database}.iam.gserviceaccount.com';

-- where Ebb keeps what it tracks, in the location of what models read; it writes nowhere else
create schema {=database}.{=schema} options (location = 'US');
grant `roles/bigquery.dataEditor` on schema {=database}.{=schema} to 'serviceAccount:{user}@{database}.iam.gserviceaccount.com';
