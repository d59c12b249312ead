set -eu
export CLOUDSDK_CORE_DISABLE_PROMPTS=1

# The project's number: Google names its own accounts after it.
PROJECT_NUMBER="$(gcloud projects describe my-project '--format=value(projectNumber)')"

# Enable the APIs that the pipeline uses.
gcloud services enable artifactregistry.googleapis.com \
  bigquery.googleapis.com \
  bigquerystorage.googleapis.com \
  cloudbuild.googleapis.com \
  cloudfunctions.googleapis.com \
  cloudscheduler.googleapis.com \
  iam.googleapis.com \
  pubsub.googleapis.com \
  run.googleapis.com \
  storage.googleapis.com \
  --project=my-project

# The account of advance, which turns landed events into tables.
if ! gcloud iam service-accounts describe journeys-advance@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts create journeys-advance --project=my-project
fi

# The account of the tick, which may only call advance.
if ! gcloud iam service-accounts describe journeys-tick@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts create journeys-tick --project=my-project
fi

# The account of Cloud Build, which builds the functions.
if ! gcloud iam service-accounts describe journeys-build@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts create journeys-build --project=my-project
fi

# Events are published here.
if ! gcloud pubsub topics describe journeys-events --project=my-project > /dev/null 2>&1; then
  gcloud pubsub topics create journeys-events --project=my-project
fi

# Messages that failed to land 100 times go here.
if ! gcloud pubsub topics describe journeys-undelivered --project=my-project > /dev/null 2>&1; then
  gcloud pubsub topics create journeys-undelivered --project=my-project
fi

# Effects are published here, and kept for a week for later subscribers.
if ! gcloud pubsub topics describe journeys-effects --project=my-project > /dev/null 2>&1; then
  gcloud pubsub topics create journeys-effects \
    --message-retention-duration=7d \
    --project=my-project
fi

# Keeps messages that failed to land, for inspection.
if ! gcloud pubsub subscriptions describe journeys-undelivered --project=my-project > /dev/null 2>&1; then
  gcloud pubsub subscriptions create journeys-undelivered \
    --topic=journeys-undelivered \
    --message-retention-duration=31d \
    --expiration-period=never \
    --project=my-project
fi

# Allow Pub/Sub to forward messages that failed to land.
gcloud pubsub topics add-iam-policy-binding journeys-undelivered \
  "--member=serviceAccount:service-${PROJECT_NUMBER:?}@gcp-sa-pubsub.iam.gserviceaccount.com" \
  --role=roles/pubsub.publisher \
  --format=none \
  --project=my-project

# The dataset, its tables and views: creates missing ones, changes nothing else.
npm run --silent migrate -- --warehouse bigquery:my-project.journeys --location europe-west1

# Allow the build account to write its log.
gcloud projects add-iam-policy-binding my-project \
  --member=serviceAccount:journeys-build@my-project.iam.gserviceaccount.com \
  --role=roles/logging.logWriter \
  --condition=None \
  --format=none

# Allow it to store its images.
gcloud projects add-iam-policy-binding my-project \
  --member=serviceAccount:journeys-build@my-project.iam.gserviceaccount.com \
  --role=roles/artifactregistry.writer \
  --condition=None \
  --format=none

# Allow it to read the uploaded source.
gcloud projects add-iam-policy-binding my-project \
  --member=serviceAccount:journeys-build@my-project.iam.gserviceaccount.com \
  --role=roles/storage.objectViewer \
  --condition=None \
  --format=none

# The functions and the definitions as JavaScript, in a folder that is uploaded.
npm run --silent package -- --definitions definitions --out dist/functions

# The account of ingest, which lands messages.
if ! gcloud iam service-accounts describe journeys-ingest@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts create journeys-ingest --project=my-project
fi

# The account of the push subscription, which may only call ingest.
if ! gcloud iam service-accounts describe journeys-push@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts create journeys-push --project=my-project
fi

# Allow ingest to append to the table of landed messages.
bq --location=europe-west1 --project_id=my-project query \
  --use_legacy_sql=false \
  'GRANT `roles/bigquery.dataEditor` ON TABLE `my-project`.`journeys`.`landed_messages` TO "serviceAccount:journeys-ingest@my-project.iam.gserviceaccount.com"'

# Allow it to check that the dataset exists and is up to date.
bq --location=europe-west1 --project_id=my-project query \
  --use_legacy_sql=false \
  'GRANT `roles/bigquery.dataViewer` ON SCHEMA `my-project`.`journeys` TO "serviceAccount:journeys-ingest@my-project.iam.gserviceaccount.com"'

# Allow it to run that query.
gcloud projects add-iam-policy-binding my-project \
  --member=serviceAccount:journeys-ingest@my-project.iam.gserviceaccount.com \
  --role=roles/bigquery.jobUser \
  --condition=None \
  --format=none

# The function that stores a message unchanged.
gcloud functions deploy journeys-ingest \
  --gen2 \
  --region=europe-west1 \
  --runtime=nodejs22 \
  --source=dist/functions \
  --entry-point=ingest \
  --trigger-http \
  --no-allow-unauthenticated \
  --build-service-account=projects/my-project/serviceAccounts/journeys-build@my-project.iam.gserviceaccount.com \
  --service-account=journeys-ingest@my-project.iam.gserviceaccount.com \
  --memory=1Gi \
  --cpu=1 \
  --max-instances=10 \
  --concurrency=80 \
  --timeout=180s \
  --set-env-vars=DESIRE_PATH_WAREHOUSE=bigquery:my-project.journeys \
  --project=my-project

# Allow Pub/Sub to call it.
gcloud functions add-invoker-policy-binding journeys-ingest \
  --region=europe-west1 \
  --member=serviceAccount:journeys-push@my-project.iam.gserviceaccount.com \
  --format=none \
  --project=my-project

# The URL of the function.
INGEST_URL="$(gcloud functions describe journeys-ingest --v2 --region=europe-west1 '--format=value(serviceConfig.uri)' --project=my-project)"

# Allow Pub/Sub to sign its calls.
gcloud iam service-accounts add-iam-policy-binding journeys-push@my-project.iam.gserviceaccount.com \
  "--member=serviceAccount:service-${PROJECT_NUMBER:?}@gcp-sa-pubsub.iam.gserviceaccount.com" \
  --role=roles/iam.serviceAccountTokenCreator \
  --format=none \
  --project=my-project

# Landing: delivers every message to the function.
if gcloud pubsub subscriptions describe journeys-push --project=my-project > /dev/null 2>&1; then
  gcloud pubsub subscriptions update journeys-push \
    "--push-endpoint=${INGEST_URL:?}/projects/my-project/topics/journeys-events" \
    --push-auth-service-account=journeys-push@my-project.iam.gserviceaccount.com \
    "--push-auth-token-audience=${INGEST_URL:?}" \
    --ack-deadline=180 \
    --dead-letter-topic=journeys-undelivered \
    --max-delivery-attempts=100 \
    --min-retry-delay=10s \
    --max-retry-delay=600s \
    --message-retention-duration=7d \
    --expiration-period=never \
    --project=my-project
else
  gcloud pubsub subscriptions create journeys-push \
    --topic=journeys-events \
    "--push-endpoint=${INGEST_URL:?}/projects/my-project/topics/journeys-events" \
    --push-auth-service-account=journeys-push@my-project.iam.gserviceaccount.com \
    "--push-auth-token-audience=${INGEST_URL:?}" \
    --ack-deadline=180 \
    --dead-letter-topic=journeys-undelivered \
    --max-delivery-attempts=100 \
    --min-retry-delay=10s \
    --max-retry-delay=600s \
    --message-retention-duration=7d \
    --expiration-period=never \
    --project=my-project
fi

# Allow Pub/Sub to remove messages that failed to land.
gcloud pubsub subscriptions add-iam-policy-binding journeys-push \
  "--member=serviceAccount:service-${PROJECT_NUMBER:?}@gcp-sa-pubsub.iam.gserviceaccount.com" \
  --role=roles/pubsub.subscriber \
  --format=none \
  --project=my-project

# Allow advance to read and write this dataset only.
bq --location=europe-west1 --project_id=my-project query \
  --use_legacy_sql=false \
  'GRANT `roles/bigquery.dataEditor` ON SCHEMA `my-project`.`journeys` TO "serviceAccount:journeys-advance@my-project.iam.gserviceaccount.com"'

# Allow it to run queries.
gcloud projects add-iam-policy-binding my-project \
  --member=serviceAccount:journeys-advance@my-project.iam.gserviceaccount.com \
  --role=roles/bigquery.jobUser \
  --condition=None \
  --format=none

# Allow it to publish effects.
gcloud pubsub topics add-iam-policy-binding journeys-effects \
  --member=serviceAccount:journeys-advance@my-project.iam.gserviceaccount.com \
  --role=roles/pubsub.publisher \
  --format=none \
  --project=my-project

# The function that processes landed messages. At most one instance, because only one can commit
# at a time. A call during a run joins that run.
gcloud functions deploy journeys-advance \
  --gen2 \
  --region=europe-west1 \
  --runtime=nodejs22 \
  --source=dist/functions \
  --entry-point=advance \
  --trigger-http \
  --no-allow-unauthenticated \
  --build-service-account=projects/my-project/serviceAccounts/journeys-build@my-project.iam.gserviceaccount.com \
  --service-account=journeys-advance@my-project.iam.gserviceaccount.com \
  --memory=2Gi \
  --cpu=1 \
  --max-instances=1 \
  --concurrency=8 \
  --timeout=530s \
  --set-env-vars=DESIRE_PATH_WAREHOUSE=bigquery:my-project.journeys,DESIRE_PATH_EFFECTS=pubsub:my-project/journeys-effects,DESIRE_PATH_ADVANCE_SECONDS=290 \
  --project=my-project

# Allow the tick to call it.
gcloud functions add-invoker-policy-binding journeys-advance \
  --region=europe-west1 \
  --member=serviceAccount:journeys-tick@my-project.iam.gserviceaccount.com \
  --format=none \
  --project=my-project

# The URL of the function.
ADVANCE_URL="$(gcloud functions describe journeys-advance --v2 --region=europe-west1 '--format=value(serviceConfig.uri)' --project=my-project)"

# The tick, every 5 minutes.
if gcloud scheduler jobs describe journeys-tick --location=europe-west1 --project=my-project > /dev/null 2>&1; then
  gcloud scheduler jobs update http journeys-tick \
    --location=europe-west1 \
    '--schedule=*/5 * * * *' \
    "--uri=${ADVANCE_URL:?}" \
    --http-method=POST \
    --oidc-service-account-email=journeys-tick@my-project.iam.gserviceaccount.com \
    "--oidc-token-audience=${ADVANCE_URL:?}" \
    --attempt-deadline=530s \
    --project=my-project
else
  gcloud scheduler jobs create http journeys-tick \
    --location=europe-west1 \
    '--schedule=*/5 * * * *' \
    "--uri=${ADVANCE_URL:?}" \
    --http-method=POST \
    --oidc-service-account-email=journeys-tick@my-project.iam.gserviceaccount.com \
    "--oidc-token-audience=${ADVANCE_URL:?}" \
    --attempt-deadline=530s \
    --project=my-project
fi
