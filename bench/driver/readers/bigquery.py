"""BigQuery by its client, pages of rows over REST."""

from google.api_core.client_options import ClientOptions
from google.cloud import bigquery
from google.oauth2 import service_account

from .reading import FETCH, main


def rows(given: dict):
    scopes = ["https://www.googleapis.com/auth/bigquery"]
    signed = service_account.Credentials.from_service_account_info(given["key"], scopes=scopes, always_use_jwt_access=True)
    client = bigquery.Client(given["project"], signed, client_options=ClientOptions(api_endpoint=given["address"]))
    result = client.query(given["statement"]).result(page_size=FETCH)
    names = [field.name for field in result.schema]
    for page in result.pages:
        yield names, list(page)


main({"rows": ("google-cloud-bigquery", rows)})
