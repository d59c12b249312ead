set -eu
export CLOUDSDK_CORE_DISABLE_PROMPTS=1

# The tick: no more events are processed.
if gcloud scheduler jobs describe journeys-tick --location=europe-west1 --project=my-project > /dev/null 2>&1; then
  gcloud scheduler jobs delete journeys-tick --location=europe-west1 --project=my-project
fi

# A subscription, with its undelivered messages.
if gcloud pubsub subscriptions describe journeys-landing --project=my-project > /dev/null 2>&1; then
  gcloud pubsub subscriptions delete journeys-landing --project=my-project
fi

# A subscription, with its undelivered messages.
if gcloud pubsub subscriptions describe journeys-push --project=my-project > /dev/null 2>&1; then
  gcloud pubsub subscriptions delete journeys-push --project=my-project
fi

# A subscription, with its undelivered messages.
if gcloud pubsub subscriptions describe journeys-undelivered --project=my-project > /dev/null 2>&1; then
  gcloud pubsub subscriptions delete journeys-undelivered --project=my-project
fi

# A function.
if gcloud functions describe journeys-ingest --region=europe-west1 --project=my-project > /dev/null 2>&1; then
  gcloud functions delete journeys-ingest --region=europe-west1 --project=my-project
fi

# A function.
if gcloud functions describe journeys-advance --region=europe-west1 --project=my-project > /dev/null 2>&1; then
  gcloud functions delete journeys-advance --region=europe-west1 --project=my-project
fi

# A topic: publishing to it fails after this.
if gcloud pubsub topics describe journeys-events --project=my-project > /dev/null 2>&1; then
  gcloud pubsub topics delete journeys-events --project=my-project
fi

# A topic: publishing to it fails after this.
if gcloud pubsub topics describe journeys-undelivered --project=my-project > /dev/null 2>&1; then
  gcloud pubsub topics delete journeys-undelivered --project=my-project
fi

# A topic: publishing to it fails after this.
if gcloud pubsub topics describe journeys-effects --project=my-project > /dev/null 2>&1; then
  gcloud pubsub topics delete journeys-effects --project=my-project
fi

# A permission of journeys-build@my-project.iam.gserviceaccount.com on a resource that is kept.
if gcloud iam service-accounts describe journeys-build@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud projects add-iam-policy-binding my-project \
    --member=serviceAccount:journeys-build@my-project.iam.gserviceaccount.com \
    --role=roles/logging.logWriter \
    --condition=None \
    --format=none
  gcloud projects remove-iam-policy-binding my-project \
    --member=serviceAccount:journeys-build@my-project.iam.gserviceaccount.com \
    --role=roles/logging.logWriter \
    --condition=None \
    --format=none
fi

# A permission of journeys-build@my-project.iam.gserviceaccount.com on a resource that is kept.
if gcloud iam service-accounts describe journeys-build@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud projects add-iam-policy-binding my-project \
    --member=serviceAccount:journeys-build@my-project.iam.gserviceaccount.com \
    --role=roles/artifactregistry.writer \
    --condition=None \
    --format=none
  gcloud projects remove-iam-policy-binding my-project \
    --member=serviceAccount:journeys-build@my-project.iam.gserviceaccount.com \
    --role=roles/artifactregistry.writer \
    --condition=None \
    --format=none
fi

# A permission of journeys-build@my-project.iam.gserviceaccount.com on a resource that is kept.
if gcloud iam service-accounts describe journeys-build@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud projects add-iam-policy-binding my-project \
    --member=serviceAccount:journeys-build@my-project.iam.gserviceaccount.com \
    --role=roles/storage.objectViewer \
    --condition=None \
    --format=none
  gcloud projects remove-iam-policy-binding my-project \
    --member=serviceAccount:journeys-build@my-project.iam.gserviceaccount.com \
    --role=roles/storage.objectViewer \
    --condition=None \
    --format=none
fi

# A permission of journeys-advance@my-project.iam.gserviceaccount.com on a resource that is kept.
if gcloud iam service-accounts describe journeys-advance@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1 &&
  gcloud secrets describe journeys-hash-key --project=my-project > /dev/null 2>&1; then
  gcloud secrets add-iam-policy-binding journeys-hash-key \
    --member=serviceAccount:journeys-advance@my-project.iam.gserviceaccount.com \
    --role=roles/secretmanager.secretAccessor \
    --format=none \
    --project=my-project
  gcloud secrets remove-iam-policy-binding journeys-hash-key \
    --member=serviceAccount:journeys-advance@my-project.iam.gserviceaccount.com \
    --role=roles/secretmanager.secretAccessor \
    --format=none \
    --project=my-project
fi

# A permission of journeys-landing@my-project.iam.gserviceaccount.com on a resource that is kept.
if gcloud iam service-accounts describe journeys-landing@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1 &&
  bq --project_id=my-project show --dataset my-project:journeys > /dev/null 2>&1; then
  bq --location=europe-west1 --project_id=my-project query \
    --use_legacy_sql=false \
    'GRANT `roles/bigquery.dataEditor` ON TABLE `my-project`.`journeys`.`landed_messages` TO "serviceAccount:journeys-landing@my-project.iam.gserviceaccount.com"'
  bq --location=europe-west1 --project_id=my-project query \
    --use_legacy_sql=false \
    'REVOKE `roles/bigquery.dataEditor` ON TABLE `my-project`.`journeys`.`landed_messages` FROM "serviceAccount:journeys-landing@my-project.iam.gserviceaccount.com"'
fi

# A permission of journeys-advance@my-project.iam.gserviceaccount.com on a resource that is kept.
if gcloud iam service-accounts describe journeys-advance@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1 &&
  bq --project_id=my-project show --dataset my-project:journeys > /dev/null 2>&1; then
  bq --location=europe-west1 --project_id=my-project query \
    --use_legacy_sql=false \
    'GRANT `roles/bigquery.dataEditor` ON SCHEMA `my-project`.`journeys` TO "serviceAccount:journeys-advance@my-project.iam.gserviceaccount.com"'
  bq --location=europe-west1 --project_id=my-project query \
    --use_legacy_sql=false \
    'REVOKE `roles/bigquery.dataEditor` ON SCHEMA `my-project`.`journeys` FROM "serviceAccount:journeys-advance@my-project.iam.gserviceaccount.com"'
fi

# A permission of journeys-advance@my-project.iam.gserviceaccount.com on a resource that is kept.
if gcloud iam service-accounts describe journeys-advance@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud projects add-iam-policy-binding my-project \
    --member=serviceAccount:journeys-advance@my-project.iam.gserviceaccount.com \
    --role=roles/bigquery.jobUser \
    --condition=None \
    --format=none
  gcloud projects remove-iam-policy-binding my-project \
    --member=serviceAccount:journeys-advance@my-project.iam.gserviceaccount.com \
    --role=roles/bigquery.jobUser \
    --condition=None \
    --format=none
fi

# A permission of journeys-ingest@my-project.iam.gserviceaccount.com on a resource that is kept.
if gcloud iam service-accounts describe journeys-ingest@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1 &&
  gcloud secrets describe journeys-hash-key --project=my-project > /dev/null 2>&1; then
  gcloud secrets add-iam-policy-binding journeys-hash-key \
    --member=serviceAccount:journeys-ingest@my-project.iam.gserviceaccount.com \
    --role=roles/secretmanager.secretAccessor \
    --format=none \
    --project=my-project
  gcloud secrets remove-iam-policy-binding journeys-hash-key \
    --member=serviceAccount:journeys-ingest@my-project.iam.gserviceaccount.com \
    --role=roles/secretmanager.secretAccessor \
    --format=none \
    --project=my-project
fi

# A permission of journeys-ingest@my-project.iam.gserviceaccount.com on a resource that is kept.
if gcloud iam service-accounts describe journeys-ingest@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1 &&
  bq --project_id=my-project show --dataset my-project:journeys > /dev/null 2>&1; then
  bq --location=europe-west1 --project_id=my-project query \
    --use_legacy_sql=false \
    'GRANT `roles/bigquery.dataEditor` ON TABLE `my-project`.`journeys`.`landed_messages` TO "serviceAccount:journeys-ingest@my-project.iam.gserviceaccount.com"'
  bq --location=europe-west1 --project_id=my-project query \
    --use_legacy_sql=false \
    'REVOKE `roles/bigquery.dataEditor` ON TABLE `my-project`.`journeys`.`landed_messages` FROM "serviceAccount:journeys-ingest@my-project.iam.gserviceaccount.com"'
fi

# A permission of journeys-ingest@my-project.iam.gserviceaccount.com on a resource that is kept.
if gcloud iam service-accounts describe journeys-ingest@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1 &&
  bq --project_id=my-project show --dataset my-project:journeys > /dev/null 2>&1; then
  bq --location=europe-west1 --project_id=my-project query \
    --use_legacy_sql=false \
    'GRANT `roles/bigquery.dataViewer` ON SCHEMA `my-project`.`journeys` TO "serviceAccount:journeys-ingest@my-project.iam.gserviceaccount.com"'
  bq --location=europe-west1 --project_id=my-project query \
    --use_legacy_sql=false \
    'REVOKE `roles/bigquery.dataViewer` ON SCHEMA `my-project`.`journeys` FROM "serviceAccount:journeys-ingest@my-project.iam.gserviceaccount.com"'
fi

# A permission of journeys-ingest@my-project.iam.gserviceaccount.com on a resource that is kept.
if gcloud iam service-accounts describe journeys-ingest@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud projects add-iam-policy-binding my-project \
    --member=serviceAccount:journeys-ingest@my-project.iam.gserviceaccount.com \
    --role=roles/bigquery.jobUser \
    --condition=None \
    --format=none
  gcloud projects remove-iam-policy-binding my-project \
    --member=serviceAccount:journeys-ingest@my-project.iam.gserviceaccount.com \
    --role=roles/bigquery.jobUser \
    --condition=None \
    --format=none
fi

# An account, with its permissions.
if gcloud iam service-accounts describe journeys-landing@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts delete journeys-landing@my-project.iam.gserviceaccount.com \
    --project=my-project
fi

# An account, with its permissions.
if gcloud iam service-accounts describe journeys-ingest@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts delete journeys-ingest@my-project.iam.gserviceaccount.com \
    --project=my-project
fi

# An account, with its permissions.
if gcloud iam service-accounts describe journeys-push@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts delete journeys-push@my-project.iam.gserviceaccount.com \
    --project=my-project
fi

# An account, with its permissions.
if gcloud iam service-accounts describe journeys-advance@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts delete journeys-advance@my-project.iam.gserviceaccount.com \
    --project=my-project
fi

# An account, with its permissions.
if gcloud iam service-accounts describe journeys-tick@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts delete journeys-tick@my-project.iam.gserviceaccount.com \
    --project=my-project
fi

# An account, with its permissions.
if gcloud iam service-accounts describe journeys-build@my-project.iam.gserviceaccount.com --project=my-project > /dev/null 2>&1; then
  gcloud iam service-accounts delete journeys-build@my-project.iam.gserviceaccount.com \
    --project=my-project
fi
